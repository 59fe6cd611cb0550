/**
 * The modules by instruction set, gzip in base64: a third of their size. Empty in the sources; the bundle
 * dist/index.inline.js gets them from scripts/lib/bundles.mjs.
 */
export const PACKED_MODULES: Readonly<Record<string, string>> = {};
