import { hasJoined } from './joined.ts';
import { subjects } from './subjects.ts';

/** The subjects that general contractions run on. */
export const joinedSubjects = subjects.filter(({ open, label }) => {
  const able = hasJoined(open());
  if (!able)
    console.warn(`general contractions are not covered on ${label}: its binary has no joined kernel`);
  return able;
});
