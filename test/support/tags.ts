export interface Tag {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  text: string;
}

const VOID = ['meta', 'link', 'br'];
const TOKEN = /<(\/?)([a-z]\w*)((?:\s+[\w-]+="[^"<>]*")*)\s*(\/?)>|<(?!!doctype html>)|&(?!\w+;|#\d+;)/gi;

/** The tags of a page in order; throws where they are not nested, written or escaped as they must be. */
export function tagsOf(page: string): Tag[] {
  const body = page.replace(/<style>[\s\S]*?<\/style>/, '');
  const open: { from: number; tag: Tag }[] = [];
  const all: Tag[] = [];
  for (const { 0: whole, 1: closing, 2: name, 3: words, 4: selfClosing, index } of body.matchAll(TOKEN)) {
    if (!name) throw new Error(`stray ${body.slice(index, index + 30)}`);
    if (closing) {
      const last = open.pop();
      if (last?.tag.name !== name) throw new Error(`</${name}> closes <${last?.tag.name}>`);
      last.tag.text = body.slice(last.from, index);
      continue;
    }
    const pairs = [...words.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key, value]);
    if (new Set(pairs.map(([key]) => key)).size < pairs.length)
      throw new Error(`an attribute twice: ${whole}`);
    const tag: Tag = { name, attributes: Object.fromEntries(pairs), text: '' };
    all.push(tag);
    if (!selfClosing && !VOID.includes(name)) open.push({ from: index + whole.length, tag });
  }
  if (open.length > 0) throw new Error(`<${open[0].tag.name}> stays open`);
  return all;
}
