/**
 * Fields that CloudTrail writes as texts. A record of another kind may have a number, an object or anything else there, of which
 * the guide does not say how it compares: which of them such a record has, wherever a pattern does not find it that should.
 */
export interface AssumedTexts {
  readonly paths: readonly string[];
  /** Every record that is wanted has one of them. */
  readonly sure: boolean;
}

/** Of conditions that hold together: one that says what every record has, else what any of them does. */
export function assumedByAll(all: readonly (AssumedTexts | undefined)[]): AssumedTexts | undefined {
  const known = all.filter((assumed) => assumed !== undefined);
  const sure = known.filter((assumed) => assumed.sure);
  const length = ({ paths }: AssumedTexts): number => paths.join(' ').length;
  return sure.length > 0
    ? sure.reduce((least, one) => (length(one) < length(least) ? one : least))
    : together(known, false);
}

/** Of alternatives. */
export function assumedByAny(all: readonly (AssumedTexts | undefined)[]): AssumedTexts | undefined {
  const known = all.filter((assumed) => assumed !== undefined);
  return together(known, known.length === all.length && known.every(({ sure }) => sure));
}

function together(known: readonly AssumedTexts[], sure: boolean): AssumedTexts | undefined {
  return known.length === 0 ? undefined : { paths: [...new Set(known.flatMap(({ paths }) => paths))], sure };
}

/** Finds what none of CloudTrail's records is, which has one of the fields. All of CloudTrail's have `eventVersion`. */
export function otherRecords({ paths }: AssumedTexts, root: string): string {
  const fields = paths.map((path) => `${root}.${path} = *`);
  const any = fields.length === 1 ? fields.join('') : `(${fields.join(' || ')})`;
  return `${root}.eventVersion NOT EXISTS && ${any}`;
}
