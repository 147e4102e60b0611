// Files that were dropped, those within dropped folders included.

/** Files that are taken at once. */
export const FILES_MAX = 2_000;

function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** A folder's entries; the browser gives them in portions, and an empty one is the end. */
async function entriesOf(folder) {
  const reader = folder.createReader();
  const entries = [];
  for (;;) {
    const portion = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (portion.length === 0) return entries;
    entries.push(...portion);
    if (entries.length > FILES_MAX) throw new RangeError("files");
  }
}

/**
 * The files of a drop, folders gone through. Must be called within the event: afterwards the
 * browser has forgotten what was dropped. Rejects with RangeError beyond FILES_MAX files.
 */
export function droppedFiles(dataTransfer) {
  const entries = [...dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const plain = [...dataTransfer.files];
  if (!entries.some((entry) => entry.isDirectory)) return Promise.resolve(plain);
  return (async () => {
    const files = [];
    for (const waiting = [...entries]; waiting.length > 0; ) {
      const entry = waiting.shift();
      if (entry.isDirectory) waiting.push(...(await entriesOf(entry)));
      // What desktops put beside the papers is none of them.
      else if (!entry.name.startsWith(".")) files.push(await fileOf(entry));
      if (files.length + waiting.length > FILES_MAX) throw new RangeError("files");
    }
    return files;
  })();
}
