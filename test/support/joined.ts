import type { Backend, Joined } from '../../src/backend/interface.ts';

const ONE: Joined = {
  ...{ xi: 'sum', combine: 'sum', reduce: 'sum', fromUnit: false },
  ...{ batch: [], rows: [], columns: [], terms: [], right: [], outStrides: [] },
  left: [],
};

/** Whether a backend computes joined contractions; a binary that was built before they existed does not. */
export function hasJoined(backend: Backend): boolean {
  const [data, out] = [1, 1].map((length) => backend.allocate('float32', length));
  try {
    backend.joined({ ...ONE, left: [{ data, strides: [] }] }, out);
    return true;
  } catch (error) {
    if (!/does not have this kernel/.test((error as Error).message)) throw error;
    return false;
  }
}
