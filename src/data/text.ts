import { integer, knownKeys, mismatch, oneOf } from '../core/errors.ts';
import { checkMemory } from '../core/memory.ts';
import type { TokenTensor } from '../core/tensor.ts';
import { type Dataset, SHORTEST } from './dataset.ts';

/** Texts, each of a class. */
export interface Documents {
  /** What data sets made of them are called. */
  readonly name: string;
  /** One string a text. */
  readonly texts: readonly string[];
  /** The class of each text. */
  readonly labels: Int32Array;
  /** Names of the classes 0, 1, …. */
  readonly classNames: readonly string[];
}

/** Words by their token; the first two are no words. */
export interface Vocabulary {
  /** words[token]; the first two are `<pad>` and `<unk>`. */
  readonly words: readonly string[];
  /** Token of each word. */
  readonly tokens: ReadonlyMap<string, number>;
}

const PAD = '<pad>';
const UNKNOWN = '<unk>';

const ENCODING_KEYS = ['steps', 'keep', 'variable'] as const;
const PARTS_KEYS = [...ENCODING_KEYS, 'words', 'vocabulary'] as const;
/** What loaders of texts take beside what is their own. */
export const TEXT_KEYS = [...PARTS_KEYS, 'limit', 'testLimit'] as const;

/** How texts of any length become sequences of T tokens. */
export interface TextOptions {
  /** T, the tokens of a sequence; 100 when left out. */
  readonly steps?: number;
  /** Which words of a longer text are kept, `first` when left out. */
  readonly keep?: 'first' | 'last';
  /**
   * Whether sequences have lengths of their own, for tt networks with shared weights, instead of `<pad>` in front. A text of one
   * word or none is still filled up to two tokens.
   */
  readonly variable?: boolean;
}

/**
 * The words of a text in lower case: runs of letters, or of digits, with apostrophes inside. Marks of HTML separate words.
 */
export function tokenize(text: string): string[] {
  return wordsOf('tokenize', text);
}

function wordsOf(where: string, text: unknown): string[] {
  if (typeof text !== 'string') throw mismatch('E_ARGUMENT', where, 'a text', text);
  const plain = text.replace(/<[a-z!/][^<>]*>/gi, ' ');
  // A group without a bound takes memory of the engine's for each repetition, and has not enough for millions.
  return plain.toLowerCase().match(/\p{L}+(?:['’]\p{L}+){0,1000}|\p{N}+/gu) ?? [];
}

/**
 * The `size` − 2 most frequent words of texts behind `<pad>` (token 0) and `<unk>` (1), the more frequent first; of
 * equally frequent ones the first in the order of code units.
 */
export function buildVocabulary(texts: Iterable<string>, size = 10_000): Vocabulary {
  return vocabularyIn('buildVocabulary', texts, size);
}

function vocabularyIn(where: string, texts: Iterable<string>, size = 10_000, option = 'size'): Vocabulary {
  integer(`${where} ${option}`, size, 2, 2 ** 20);
  if (typeof texts === 'string' || typeof texts?.[Symbol.iterator] !== 'function')
    throw mismatch('E_ARGUMENT', where, 'a list of texts', texts);
  const counts = new Map<string, number>();
  for (const text of texts)
    for (const word of wordsOf(where, text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const frequent = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, size - 2);
  return vocabularyOf([PAD, UNKNOWN, ...frequent.map(([word]) => word)]);
}

/** The vocabulary of these words, `<pad>` and `<unk>` first. @throws XiError E_ARGUMENT for anything but a list of different words. */
export function vocabularyOf(words: readonly string[]): Vocabulary {
  if (!Array.isArray(words) || words[0] !== PAD || words[1] !== UNKNOWN)
    throw mismatch('E_ARGUMENT', 'vocabularyOf', `a list of words, ${PAD} and ${UNKNOWN} first`, words);
  if (!Array.from(words).every((word) => typeof word === 'string'))
    throw mismatch('E_ARGUMENT', 'vocabularyOf', 'a list of words', words);
  const tokens = new Map(words.map((word: string, token) => [word, token]));
  if (tokens.size < words.length) throw mismatch('E_ARGUMENT', 'vocabularyOf', 'every word once', words);
  return { words, tokens };
}

/**
 * Documents as sequences of tokens [count, steps]: the first or last words of each, behind `<pad>` where they are fewer,
 * so that the words are what a recurrent network sees last; or, `variable`, each as long as it is.
 *
 * @throws XiError E_ARGUMENT for options that are unknown or unfit; E_MEMORY, before anything is allocated, beyond 2 GiB of tokens.
 */
export function encodeText(
  documents: Documents,
  vocabulary: Vocabulary,
  options: TextOptions = {},
): Dataset<TokenTensor> {
  return encoded('encodeText', documents, vocabulary, options);
}

function encoded(
  where: string,
  documents: Documents,
  vocabulary: Vocabulary,
  options: TextOptions,
): Dataset<TokenTensor> {
  knownKeys(where, options, ENCODING_KEYS);
  const steps = integer(`${where} steps`, options.steps ?? 100, 1, 2 ** 16);
  const keep = oneOf(`${where} keep`, options.keep ?? 'first', ['first', 'last'] as const);
  const { variable = false } = options;
  if (typeof variable !== 'boolean')
    throw mismatch('E_ARGUMENT', `${where} variable`, 'true or false', variable);
  if (variable && steps < SHORTEST)
    throw mismatch('E_ARGUMENT', `${where} steps`, `at least ${SHORTEST}, as lengths differ`, steps);
  const { name, texts, labels, classNames } = checkDocuments(where, documents);
  if (!(vocabulary?.tokens instanceof Map))
    throw mismatch('E_ARGUMENT', `${where} vocabulary`, 'what buildVocabulary returns', vocabulary);
  if (texts.length !== labels.length)
    throw mismatch('E_SHAPE', `${where} ${name}`, `${texts.length} labels`, labels.length);
  const bad = labels.findIndex((label) => label < 0 || label >= classNames.length);
  if (bad >= 0) {
    const wanted = `a class from 0 to ${classNames.length - 1}`;
    throw mismatch('E_ARGUMENT', `${where} ${name} labels[${bad}]`, wanted, labels[bad]);
  }
  checkMemory(where, `${texts.length} texts of ${steps} tokens`, 4 * texts.length * steps);
  const data = new Int32Array(texts.length * steps);
  const lengths = new Int32Array(texts.length);
  texts.forEach((text, n) => {
    const all = wordsOf(where, text);
    const words = keep === 'first' ? all.slice(0, steps) : all.slice(-steps);
    lengths[n] = variable ? Math.max(SHORTEST, words.length) : steps;
    const first = n * steps + lengths[n] - words.length;
    words.forEach((word, t) => {
      data[first + t] = vocabulary.tokens.get(word) ?? 1;
    });
  });
  const inputs: TokenTensor = { dtype: 'int32', shape: [texts.length, steps], data };
  return { name, inputs, ...(variable && { lengths }), labels, classes: classNames.length, classNames };
}

function checkDocuments(where: string, documents: Documents): Documents {
  const areTexts = (list: unknown) =>
    Array.isArray(list) && Array.from(list).every((text) => typeof text === 'string');
  const named = typeof documents?.name === 'string' && areTexts(documents.classNames);
  if (named && areTexts(documents.texts) && documents.labels instanceof Int32Array) return documents;
  throw mismatch('E_ARGUMENT', where, 'documents { name, texts, labels, classNames }', documents);
}

/** Both parts of a set of texts, and the words that their tokens stand for. */
export interface TextParts {
  /** The texts to train on, as tokens. */
  readonly train: Dataset<TokenTensor>;
  /** The texts to test on, as tokens of the same vocabulary. */
  readonly test: Dataset<TokenTensor>;
  /** Made from the texts to train on alone. */
  readonly vocabulary: Vocabulary;
}

/** How texts become tokens. */
export interface VocabularyOptions extends TextOptions {
  /** Size of the vocabulary of the training part, `<pad>` and `<unk>` included. */
  readonly words?: number;
  /** A vocabulary instead, as a trained model needs it. */
  readonly vocabulary?: Vocabulary;
}

/** How many texts of each part are read. */
export interface TextLimits {
  /** At most that many texts of the training part, from which the vocabulary is. */
  readonly limit?: number;
  /** At most that many of the test part. */
  readonly testLimit?: number;
}

const ALL = 2 ** 31;

/** @throws XiError E_ARGUMENT for what is no number of texts. */
export function checkLimits(where: string, { limit = ALL, testLimit = ALL }: TextLimits) {
  return {
    train: integer(`${where} limit`, limit, 1, ALL),
    test: integer(`${where} testLimit`, testLimit, 1, ALL),
  };
}

/** Encodes two parts with the vocabulary of the first, so that nothing of the second is known before. */
export function encodeParts(train: Documents, test: Documents, given: VocabularyOptions = {}): TextParts {
  return partsOf('encodeParts', train, test, given);
}

/** {@link encodeParts} in the name of another function. */
export function partsOf(
  where: string,
  train: Documents,
  test: Documents,
  given: VocabularyOptions,
): TextParts {
  knownKeys(where, given, PARTS_KEYS);
  const { words, vocabulary: known, ...options } = given;
  checkDocuments(where, train);
  const vocabulary = known ?? vocabularyIn(where, train.texts, words, 'words');
  const [first, second] = [train, test].map((part) => encoded(where, part, vocabulary, options));
  return { train: first, test: second, vocabulary };
}
