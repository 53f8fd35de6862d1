import { TrailhoundError } from '../kernel/errors.ts';
import type { Hunt } from './hunt.ts';
import type { Parameters } from './run-hunt.ts';

/**
 * Every hunt has what it asks about. One that has not would read for weeks what nothing can be found in, and an empty
 * result would look like an answer.
 *
 * @throws TrailhoundError `configuration` with the options to add.
 */
export function checkRequiredParameters(hunts: readonly Hunt[], parameters: Parameters): void {
  for (const hunt of hunts) {
    const missing = missingParameters(hunt, parameters);
    const [first] = missing;
    if (first === undefined) continue;
    const what = missing.map(({ names }) => names.join(' or '));
    const options = missing.map(({ names }) => names.map((name) => `--param ${name}=…`).join(' or '));
    throw new TrailhoundError('configuration', `${hunt.id} needs ${what.join(' and ')}`, {
      hint: `Add ${options.join(' and ')}: ${first.description}.`,
    });
  }
}

interface Missing {
  /** One of them is enough. */
  readonly names: readonly string[];
  readonly description: string;
}

function missingParameters(hunt: Hunt, parameters: Parameters): readonly Missing[] {
  // As in the statements, what is empty is not given.
  const isGiven = (name: string) => (parameters[name] ?? '') !== '';
  return requirements(hunt)
    .filter((names) => !names.some(isGiven))
    .map((names) => ({
      names,
      description: hunt.parameters
        .filter(({ name }) => names.includes(name))
        .map(({ description }) => description)
        .join('; '),
    }));
}

/** Of each, one has to be given. */
export function requirements({ parameters }: Hunt): readonly (readonly string[])[] {
  const namesOf = (required: 'always' | 'one of') =>
    parameters.filter((parameter) => parameter.required === required).map(({ name }) => name);
  const oneOf = namesOf('one of');
  return [...namesOf('always').map((name) => [name]), ...(oneOf.length === 0 ? [] : [oneOf])];
}
