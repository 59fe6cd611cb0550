/** The entry of browsers with the WebAssembly modules within. */
export { openBackend, type PageBackendOptions, probeBackend } from './backend/select.inline.ts';
export * from './index.common.ts';
