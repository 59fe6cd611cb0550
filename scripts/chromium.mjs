// Finds Chromium, in which the tests load what browsers get, and installs Debian's where that is allowed.
import { accessSync, constants } from 'node:fs';
import { aptInstall, have } from './lib/steps.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The path of a Chromium: XITENSOR_CHROMIUM, or the first on PATH; '' if there is none. */
export function findChromium() {
  const chosen = process.env.XITENSOR_CHROMIUM;
  if (!chosen) return NAMES.map(have).find(Boolean) ?? '';
  accessSync(chosen, constants.X_OK);
  return chosen;
}

/** Resolves with {} when there is a Chromium, with { missing } when there is none. */
export async function ensureChromium() {
  if (findChromium()) return {};
  const { ok, reason } = await aptInstall(['chromium'], 'in which the browser entries are tested');
  if (ok && findChromium()) return {};
  const why = ok ? 'its package brought no executable' : reason;
  return { missing: `no Chromium: ${why}. Get it with apt-get install chromium, or set XITENSOR_CHROMIUM` };
}
