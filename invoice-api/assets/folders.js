// Files that were dropped, those within dropped folders included.

/** Files that are taken at once. */
export const FILES_MAX = 2_000;

/** What desktops and office programs put beside the papers; none of it is one. */
const LEFT_BEHIND = /^(?:\..*|~\$.*|Thumbs\.db|desktop\.ini|__MACOSX)$/i;

/** A file's place within what was dropped: its folders and its name. */
export function pathOf(file) {
  return file.webkitRelativePath || file.pathInDrop || file.name;
}

/** The papers among files, folder by folder in the order of their names. */
export function papersAmong(files) {
  const order = new Intl.Collator("zh-CN", { numeric: true });
  return files
    .filter((file) => !pathOf(file).split("/").some((part) => LEFT_BEHIND.test(part)))
    .sort((a, b) => order.compare(pathOf(a), pathOf(b)));
}

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
      else {
        const file = await fileOf(entry);
        // The browser knows the path only of files that were chosen, not of dropped ones.
        file.pathInDrop = entry.fullPath.replace(/^\//, "");
        files.push(file);
      }
      if (files.length + waiting.length > FILES_MAX) throw new RangeError("files");
    }
    return files;
  })();
}
