/** From least to most severe. */
export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export function isAtLeast(severity: Severity, floor: Severity): boolean {
  return SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(floor);
}

/** Read in the statement as `current_setting('hunt.<name>', true)`. */
export interface HuntParameter {
  readonly name: string;
  /** A PostgreSQL type: interval, integer, text, inet, timestamptz. */
  readonly type: string;
  /** As the statement itself has it when the setting is missing or empty; undefined: it finds nothing then. */
  readonly defaultValue: string | undefined;
  /** `always`, or `one of` those that say the same; undefined where there is a default. */
  readonly required: 'always' | 'one of' | undefined;
  readonly description: string;
}

/** One saved query: a file that psql runs as it stands. */
export interface Hunt {
  /** `cloudtrail/create-user-by-abusers`: the file's path below its folder. */
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  /** MITRE ATT&CK techniques: `T1136.003`. */
  readonly mitre: readonly string[];
  /** The virtual tables that it reads. */
  readonly tables: readonly string[];
  readonly parameters: readonly HuntParameter[];
  /**
   * An interval: how far back the hunt looks while it is watched, before the last run. Undefined: as far as `since`
   * says, because its rows depend on what came before.
   */
  readonly watch: string | undefined;
  readonly falsePositives: readonly string[];
  readonly nextSteps: readonly string[];
  readonly references: readonly string[];
  /** Of an imported rule: what it is elsewhere, its author, its licence. */
  readonly origin: readonly string[];
  readonly file: string;
  /** The whole file, comment block included. */
  readonly sql: string;
}

/** Every hunt's first columns, in this order; its own follow. */
export const FIRST_COLUMNS = [
  'event_time',
  'severity',
  'principal',
  'action',
  'resource',
  'source_ip',
  'account_id',
  'region',
  'event_id',
  'console_url',
  'detail',
] as const;
