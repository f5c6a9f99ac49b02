// What the reader chose, kept in this browser; nothing is kept where storage is forbidden.

export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // It holds for this page only.
  }
}
