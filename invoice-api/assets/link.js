// The link that this registry prints as a QR code, where a clerk has it as a text.

/** The elements in the link of a QR code that this registry printed; null for any other text. */
export function linkItem(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  const found = /^\/v\/([^/]+)$/.exec(url.pathname);
  if (!found) return null;
  const item = { document: found[1].replace(/%3a/i, ":") };
  for (const name of ["amount", "date", "check_code"]) {
    const value = url.searchParams.get(name);
    if (value) item[name] = value;
  }
  return item;
}
