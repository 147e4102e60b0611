//! One macro for lists of permanent codes with texts in both languages.

/// Declares an enum with the stable code and both texts of each variant beside it.
macro_rules! codes {
    ($(#[$about:meta])* $list:ident { $($(#[$doc:meta])* $name:ident = $code:literal, $zh:literal, $en:literal;)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $list { $($(#[$doc])* $name,)* }

        impl $list {
            /// Every one, in the order of the catalogue.
            pub const ALL: &'static [$list] = &[$($list::$name,)*];

            /// The stable snake_case code that stands in answers.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $($list::$name => $code,)* }
            }

            /// What to tell a reader of Chinese.
            #[must_use]
            pub const fn zh(self) -> &'static str {
                match self { $($list::$name => $zh,)* }
            }

            /// What to tell a reader of English.
            #[must_use]
            pub const fn en(self) -> &'static str {
                match self { $($list::$name => $en,)* }
            }
        }
    };
}
pub(crate) use codes;
