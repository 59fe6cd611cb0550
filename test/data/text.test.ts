import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkDataset } from '../../src/data/dataset.ts';
import { loadImdb } from '../../src/data/imdb.ts';
import { loadSpam } from '../../src/data/spam.ts';
import { buildVocabulary, encodeText, tokenize, vocabularyOf } from '../../src/data/text.ts';
import { refusal } from '../support/models.ts';
import { temporaryFolder } from '../support/processes.ts';

describe('words', () => {
  test.each<[string, string[]]>([
    ["It's GREAT, isn’t it?", ["it's", 'great', 'isn’t', 'it']],
    ['one<br /><br />two <b>three</b> a < b', ['one', 'two', 'three', 'a', 'b']],
    ['10/10 naïve Größe 日本', ['10', '10', 'naïve', 'größe', '日本']],
    ["'quoted' --- ...", ['quoted']],
    ['', []],
  ])('of %j', (text, words) => expect(tokenize(text)).toEqual(words));

  test('of a text without an end to its apostrophes', () => {
    const words = tokenize("a'".repeat(4e6));
    expect(new Set(words.slice(0, -1)).size).toBe(1);
    expect(words.join("'")).toBe("a'".repeat(4e6).slice(0, -1));
  });

  test('a vocabulary has the most frequent ones, behind <pad> and <unk>', () => {
    const texts = ['b a c', 'a b d', 'a e e e e'];
    expect(buildVocabulary(texts, 5).words).toEqual(['<pad>', '<unk>', 'e', 'a', 'b']);
    expect(buildVocabulary(texts).words).toEqual(['<pad>', '<unk>', 'e', 'a', 'b', 'c', 'd']);
    expect(buildVocabulary(['z b a é B Z é a']).words.slice(2)).toEqual(['a', 'b', 'z', 'é']);
    expect(buildVocabulary(['constructor __proto__'], 5).tokens.get('toString')).toBeUndefined();
    expect(() => buildVocabulary(texts, 1)).toThrow(
      refusal('E_ARGUMENT', /size: expected an integer from 2/),
    );
    expect(() => vocabularyOf(['a', 'b'])).toThrow(refusal('E_ARGUMENT', /<pad> and <unk> first/));
  });

  test('sequences are cut, and padded in front or as long as they are', () => {
    const documents = {
      name: 'd',
      texts: ['a b zebra c', 'c', ''],
      labels: Int32Array.of(0, 1, 1),
      classNames: ['x', 'y'],
    };
    const vocabulary = vocabularyOf(['<pad>', '<unk>', 'a', 'b', 'c']);
    const first = encodeText(documents, vocabulary, { steps: 3 });
    expect([...first.inputs.data]).toEqual([2, 3, 1, 0, 0, 4, 0, 0, 0]);
    expect([...encodeText(documents, vocabulary, { steps: 3, keep: 'last' }).inputs.data]).toEqual([
      ...[3, 1, 4],
      ...[0, 0, 4],
      ...[0, 0, 0],
    ]);
    expect(encodeText(documents, vocabulary).inputs.shape).toEqual([3, 100]);
    const own = checkDataset('d', encodeText(documents, vocabulary, { steps: 3, variable: true }));
    expect([...own.inputs.data]).toEqual([2, 3, 1, 0, 4, 0, 0, 0, 0]);
    // What is shorter than a first and a last core is still padded.
    expect([...own.lengths!]).toEqual([3, 2, 2]);
    expect(first.lengths).toBeUndefined();
    const one = { steps: 1, variable: true };
    expect(() => encodeText(documents, vocabulary, one)).toThrow(refusal('E_ARGUMENT', /at least 2/));
    expect(checkDataset('d', first)).toMatchObject({ classes: 2, classNames: ['x', 'y'] });
    const fewer = { ...documents, labels: Int32Array.of(0) };
    expect(() => encodeText(fewer, vocabulary)).toThrow(
      refusal('E_SHAPE', /d: expected 3 labels, received 1/),
    );
    expect(() => encodeText(documents, vocabulary, { steps: 0 })).toThrow(refusal('E_ARGUMENT', /steps/));
  });
});

let folder: string;
const inFolder = (...parts: string[]) => join(folder, ...parts);
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('an aclImdb folder', () => {
  beforeEach(() => {
    const write = (place: string, texts: Record<string, string>) => {
      mkdirSync(inFolder(place), { recursive: true });
      for (const [name, text] of Object.entries(texts)) writeFileSync(inFolder(place, name), text);
    };
    write('train/neg', { '0_2.txt': 'bad film', '10_1.txt': 'bad bad plot', '2_3.txt': 'a bad film' });
    write('train/pos', { '0_9.txt': 'good film', '1_8.txt': 'good good fun' });
    write('test/neg', { '0_1.txt': 'bad fun' });
    write('test/pos', { '0_10.txt': 'good nonsense' });
    writeFileSync(inFolder('train/neg/urls.html'), 'not a review');
    write('train/unsup', { '0_0.txt': 'of no class' });
  });

  test('is read class by class in turn, with the vocabulary of its training part', async () => {
    const { train, test: held, vocabulary } = await loadImdb({ source: folder, steps: 3 });
    expect(vocabulary.words).toEqual(['<pad>', '<unk>', 'bad', 'film', 'good', 'a', 'fun', 'plot']);
    expect([...train.labels]).toEqual([0, 1, 0, 1, 0]);
    expect(train).toMatchObject({ name: 'imdb-train', classes: 2, classNames: ['neg', 'pos'] });
    // 0_2, 0_9, 2_3, 1_8, 10_1: by number, not by name.
    expect([...train.inputs.data]).toEqual([0, 2, 3, 0, 4, 3, 5, 2, 3, 4, 4, 6, 2, 2, 7]);
    expect([...held.inputs.data]).toEqual([0, 2, 6, 0, 4, 1]);
  });

  test('in part, with a vocabulary of some size or from before', async () => {
    const { train, test: whole, vocabulary } = await loadImdb({ source: folder, limit: 3, words: 3 });
    expect([...train.labels]).toEqual([0, 1, 0]);
    expect([...whole.labels]).toEqual([0, 1]);
    expect(vocabulary.words).toEqual(['<pad>', '<unk>', 'film']);
    const given = await loadImdb({
      source: folder,
      vocabulary: vocabularyOf(['<pad>', '<unk>', 'fun']),
      steps: 2,
    });
    expect([...given.test.inputs.data]).toEqual([1, 2, 1, 1]);
    const half = await loadImdb({ source: folder, testLimit: 1 });
    await expect(loadImdb({ source: folder, keep: 'all' as never })).rejects.toThrow(
      refusal('E_ARGUMENT', /^loadImdb keep: expected one of first, last/),
    );
    expect([half.train.labels.length, half.test.labels.length]).toEqual([5, 1]);
  });

  test('with something missing is refused', async () => {
    const load = (options: object = {}) => loadImdb({ source: folder, ...options });
    writeFileSync(inFolder('test/pos/0_10.txt'), Buffer.from([0x67, 0xc3, 0xa9, 0x20, 0xff, 0x21]));
    await expect(load()).rejects.toThrow(
      refusal('E_FILE', /0_10\.txt, byte 4: expected UTF-8, found the byte 255/),
    );
    writeFileSync(inFolder('test/pos/0_10.txt'), Buffer.from([0x67, 0xc3]));
    await expect(load()).rejects.toThrow(
      refusal('E_FILE', /0_10\.txt, byte 1: expected UTF-8, found the byte 195/),
    );
    rmSync(inFolder('test/pos/0_10.txt'));
    await expect(load()).rejects.toThrow(refusal('E_FILE', /test\/pos: expected reviews .* found none/));
    rmSync(inFolder('train/pos'), { recursive: true });
    await expect(load()).rejects.toThrow(
      refusal('E_FILE', /cannot read .*train\/pos: no such file or folder/),
    );
    await expect(load({ testLimit: 0 })).rejects.toThrow(refusal('E_ARGUMENT', /loadImdb testLimit: /));
    await expect(load({ source: 3 })).rejects.toThrow(refusal('E_ARGUMENT', /source/));
    await expect(load({ split: 'train' })).rejects.toThrow(refusal('E_ARGUMENT', /received 'split'/));
  });
});

describe('the e-mails', () => {
  const GROUPS = ['easy-ham-1', 'easy-ham-2', 'hard-ham-1', 'spam-1', 'spam-2'];
  const mail = (subject: string, body: string) =>
    `From x\nX-Secret: header\nSubject: ${subject}\n and more\nTo: y\n\n${body}\n\nend`;
  beforeEach(() => {
    for (const group of GROUPS) {
      mkdirSync(inFolder('data', group), { recursive: true });
      for (let n = 0; n < 4; n++) {
        const word = group.replaceAll('-', '').replace('1', 'one').replace('2', 'two');
        const text = mail('subject', `${word} body`);
        writeFileSync(inFolder('data', group, `0000${n}.json`), JSON.stringify({ text }));
        writeFileSync(inFolder('data', group, `0000${n}.txt`), 'the same as plain text');
      }
    }
  });
  const load = (options: object = {}) => loadSpam({ source: folder, ...options });

  test('are refused in the name of their loader', async () => {
    await expect(load({ words: 1 })).rejects.toThrow(
      refusal('E_ARGUMENT', /^loadSpam words: expected an integer/),
    );
    await expect(load({ steps: 0 })).rejects.toThrow(
      refusal('E_ARGUMENT', /^loadSpam steps: expected an integer/),
    );
  });

  test('may have a header of millions of lines', async () => {
    const text = mail(`endless${'\n on'.repeat(1e7)}`, 'body');
    writeFileSync(inFolder('data', GROUPS[0], '00000.json'), JSON.stringify({ text }));
    const { vocabulary } = await load();
    expect(vocabulary.words).toContain('body');
  });

  test('are their subjects and bodies, a fifth of them held back by the seed', async () => {
    const { train, test: held, vocabulary } = await load({ steps: 8 });
    expect([train.labels.length, held.labels.length]).toEqual([16, 4]);
    expect(train.classNames).toEqual(['ham', 'spam']);
    const words = new Set(vocabulary.words);
    for (const word of ['subject', 'and', 'more', 'body', 'end', 'spamone']) expect(words).toContain(word);
    for (const word of ['secret', 'header', 'to', 'from']) expect(words).not.toContain(word);
    const text = (part: typeof train, n: number) =>
      [...part.inputs.data.subarray(8 * n, 8 * n + 8)].map((token) => vocabulary.words[token]).join(' ');
    for (const part of [train, held]) {
      part.labels.forEach((label, n) => void expect(/spam(one|two)/.test(text(part, n))).toBe(label === 1));
    }
    expect(text(train, 0)).toMatch(/^<pad> <pad> subject and more easyhamone body end$/);
    expect((await load({ seed: 1 })).test.inputs.data).not.toEqual((await load()).test.inputs.data);
    const counts = ({ train, test }: Awaited<ReturnType<typeof load>>) =>
      [train, test].map(({ labels }) => labels.length);
    expect(counts(await load({ limit: 2 }))).toEqual([2, 4]);
    expect(counts(await load({ testLimit: 2 }))).toEqual([16, 2]);
  });

  test('that are broken are refused', async () => {
    const path = inFolder('data/spam-1/00002.json');
    writeFileSync(path, '{"text": "cut');
    await expect(load()).rejects.toThrow(refusal('E_FILE', /spam-1\/00002\.json: .*JSON/));
    writeFileSync(path, '{"body": "x"}');
    await expect(load()).rejects.toThrow(
      refusal('E_FILE', /00002\.json: expected a string under the key 'text'/),
    );
    rmSync(inFolder('data/spam-2'), { recursive: true });
    writeFileSync(path, '{"text": "x"}');
    await expect(load()).rejects.toThrow(refusal('E_FILE', /cannot read .*spam-2: no such file/));
  });
});
