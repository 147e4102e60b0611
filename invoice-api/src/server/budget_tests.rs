use super::*;

fn budget(per_minute: u32) -> Budget<u8> {
    Budget::new(NonZeroU32::new(per_minute).unwrap())
}

#[test]
fn a_minutes_worth_may_be_taken_at_once_and_then_no_more() {
    let budget = budget(10);
    assert_eq!(budget.left(&1), 10);
    assert_eq!(budget.take(&1, 4), Ok(()));
    assert_eq!(budget.left(&1), 6);
    let spent = budget.take(&1, 7).unwrap_err();
    assert!((5..=7).contains(&spent.seconds()), "{spent:?}");
    assert_eq!(budget.take(&1, 6), Ok(()));
    assert_eq!(budget.left(&1), 0);
    assert_eq!(budget.left(&2), 10, "another key has its own");
}

#[test]
fn more_than_a_minutes_worth_takes_the_whole_minute() {
    let budget = budget(10);
    assert_eq!(budget.take(&1, 1_000), Ok(()));
    assert!(budget.take(&1, 1).is_err());
}

#[test]
fn what_is_given_back_may_be_taken_again() {
    let budget = budget(10);
    assert_eq!(budget.take(&1, 10), Ok(()));
    assert!(budget.take(&1, 1).is_err());
    budget.give_back(&1, 3);
    assert_eq!(budget.take(&1, 3), Ok(()));
    assert!(budget.take(&1, 1).is_err());
    // More than was taken makes nobody rich.
    budget.give_back(&1, u32::MAX);
    budget.give_back(&1, u32::MAX);
    assert_eq!(budget.take(&1, 10), Ok(()));
    assert!(budget.take(&1, 1).is_err());
    budget.give_back(&2, 1);
    assert_eq!(budget.left(&2), 10);
}

#[test]
fn keys_beyond_the_table_share_one_budget() {
    let budget = Budget::<u32>::new(NonZeroU32::new(2).unwrap());
    let others = u32::try_from(BUDGET_KEYS_MAX).unwrap();
    for key in 0..others {
        assert_eq!(budget.take(&key, 2), Ok(()));
    }
    assert_eq!(budget.take(&others, 2), Ok(()));
    assert!(budget.take(&(others + 1), 2).is_err());
}

#[test]
fn one_ipv6_customer_is_one_network() {
    let network = |text: &str| Network::from(Some(text.parse::<IpAddr>().unwrap()));
    assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
    assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
    let wide = |text| network(text).wide();
    assert_eq!(wide("2001:db8:1:2::1"), wide("2001:db8:1:3::1"));
    assert_ne!(wide("2001:db8:1::1"), wide("2001:db8:2::1"));
    assert_ne!(wide("10.0.0.1"), wide("10.0.0.2"));
    assert_eq!(network("::ffff:10.0.0.1"), network("10.0.0.1"));
}
