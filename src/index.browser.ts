/** The entry of browsers: no built-in of Node. Models and tensors come from bytes, by `decodeModel` and `decodeNpy`. */
export { openBackend, type PageOptions, probeBackend } from './backend/select.browser.ts';
export * from './index.common.ts';
