import { ANY_FOLDERS, type Glob, matchesSegment } from './glob.ts';

/** How far a glob has been followed down to a folder: the next of its segments. */
export interface Step {
  readonly glob: Glob;
  readonly index: number;
}

/** At the root. */
export function begun(glob: Glob): Step {
  return { glob, index: 0 };
}

/** The name that was stepped to last is a whole match. */
export function atEnd({ glob, index }: Step): boolean {
  return index === glob.segments.length;
}

/** One name further down. */
export function descend(steps: readonly Step[], name: string): readonly Step[] {
  return withoutFolders(steps).flatMap((step) => advance(step, name));
}

/** With `**` standing for no folder as well. */
export function withoutFolders(steps: readonly Step[]): readonly Step[] {
  return steps.flatMap((step) => {
    const all = [step];
    for (let { index } = step; step.glob.segments[index] === ANY_FOLDERS; index += 1) {
      all.push({ glob: step.glob, index: index + 1 });
    }
    return all;
  });
}

export function advance({ glob, index }: Step, name: string): readonly Step[] {
  const segment = glob.segments[index];
  if (segment === undefined || !matchesSegment(segment, name)) return [];
  return [{ glob, index: segment === ANY_FOLDERS ? index : index + 1 }];
}
