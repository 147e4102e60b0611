// Texts in the language of the page.

/** One of two texts, by the page's language. */
export function say(zh, en) {
  return document.documentElement.lang.startsWith("en") ? en : zh;
}

/** Makes an element: attributes, then children (elements or texts). Nothing is ever read as HTML. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === undefined || value === null) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}
