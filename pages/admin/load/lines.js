// What an operator pastes, taken apart: one upstream key a line, `sk-…` or `sk-…::https://host`, as the daemon reads it.

const shortest = 20;
const longest = 512;

// Lists are often pasted from JSON or settings: quotes around a key and a comma behind it are not part of it.
const strip = (line) => line.replace(/^[\s"'\uFEFF]+|[\s"',;]+$/g, '');

function faultOf(secret, provider) {
  if (!/^[!-~]+$/.test(secret)) return 'bad_characters';
  if (secret.length < shortest) return 'too_short';
  if (secret.length > longest) return 'too_long';
  // A key of this gateway would be sent to upstream, which is nobody to show it to.
  if (/^sk-Xvs[A-Za-z0-9]{45}$/.test(secret)) return 'virtual_key';
  if (provider === undefined) return '';
  const url = URL.canParse(provider) ? new URL(provider) : null;
  return url && /^https?:$/.test(url.protocol) ? '' : 'bad_provider';
}

/** Entries `{line, text, tail, fault, first}` in their order; `first` is the line that a duplicate repeats. */
export function readLines(text) {
  const seen = new Map();
  const entries = [];
  text.split(/\r\n|\r|\n/).forEach((raw, index) => {
    const clean = strip(raw);
    if (!clean || clean.startsWith('#')) return;
    const [secret, ...rest] = clean.split('::');
    const provider = rest.length ? rest.join('::') : undefined;
    const entry = { line: index + 1, text: clean, tail: secret.slice(-4), fault: faultOf(secret, provider), first: 0 };
    // The daemon knows a key by its secret alone, whoever its provider is.
    if (!entry.fault) {
      if (seen.has(secret)) entry.first = seen.get(secret);
      else seen.set(secret, entry.line);
    }
    entries.push(entry);
  });
  return entries;
}
