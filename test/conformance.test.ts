import { describe, it } from 'vitest';
import { suite } from './conformance/suite.ts';
import { subjects } from './support/subjects.ts';

// What another Node must run is in conformance_elsewhere.test.ts, and runs at the same time.
for (const { label, open } of subjects) {
  describe(label, () => {
    for (const { name, run } of suite) it(name, () => run(open()));
  });
}
