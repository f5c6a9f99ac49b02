// How texts are cut into words, for the index (made at build time) and for what is searched. Chinese has no spaces between words, so a
// run of Chinese is cut into single characters and into overlapping pairs; a search of two characters or more looks for pairs.

const runs = /[\p{Script=Han}]+|[\p{L}\p{N}]+(?:[_.\-/][\p{L}\p{N}]+)*/gu;
const isHan = (run) => /^\p{Script=Han}/u.test(run);

function pairs(run) {
  const characters = [...run];
  return characters.slice(1).map((character, at) => characters[at] + character);
}

/** `CreditGranted` and `no_upstream_available` are found whole and by their parts. */
function parts(run) {
  const found = run.split(/[_.\-/]|(?<=[a-z])(?=[A-Z])/u);
  return found.length > 1 ? found : [];
}

/** A run of letters may hold Chinese in its middle: `OpenAI的密钥` is three words. */
function cut(text, { han, other }) {
  return (
    text
      .replace(/\p{Script=Han}+/gu, ' $& ')
      .match(runs)
      ?.flatMap((run) => (isHan(run) ? han(run) : other(run))) ?? []
  );
}

export const wordsOf = (text) => cut(text, { han: (run) => [...run, ...pairs(run)], other: (run) => [run, ...parts(run)] });

export const wordsSearched = (text) =>
  cut(text, { han: (run) => ([...run].length > 1 ? pairs(run) : [run]), other: (run) => [run] });

const isLatin = (word) => !isHan(word);

export const indexOptions = {
  fields: ['title', 'page', 'text', 'code'],
  storeFields: ['title', 'page', 'url', 'text'],
  tokenize: wordsOf,
  searchOptions: {
    tokenize: wordsSearched,
    boost: { title: 4, page: 2, code: 0.5 },
    prefix: isLatin,
    fuzzy: (word) => (isLatin(word) && word.length > 4 ? 0.2 : false),
    combineWith: 'AND',
  },
};
