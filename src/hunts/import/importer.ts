import type { Severity } from '../hunt.ts';
import type { CallTable } from './call-table.ts';

/** A file of rules, as an importer reads it. */
export interface RuleFile {
  /** As the user would write it. */
  readonly path: string;
  readonly text: string;
}

/** A rule in our words: what the comment block of its hunt says, and its statement. */
export interface ImportedHunt {
  /** `rules/iam.json`, `rules/iam.yaml:12`: where the rule stands. */
  readonly place: string;
  /** The rule's own name; the hunt's id is made of it. */
  readonly name: string;
  readonly title: string;
  readonly severity: Severity;
  readonly mitre?: readonly string[];
  readonly tables: readonly string[];
  /** What the rule is elsewhere: its kind and id, author, licence. One text a line. */
  readonly origin: readonly string[];
  /** Of what the rule would find elsewhere, that which no table has; in lower case without a full stop. */
  readonly lost?: string | undefined;
  /** How far back it looks while it is watched; only where no row depends on what came before. */
  readonly watch?: string | undefined;
  readonly falsePositives?: readonly string[];
  readonly nextSteps?: readonly string[];
  readonly references?: readonly string[];
  /** One SELECT of `hunt.since` and `hunt.until`, ending in a semicolon. */
  readonly statement: string;
}

/** A rule, or a file, that becomes no hunt. */
export interface Refusal {
  readonly place: string;
  /** In lower case without a full stop: `"Fn::Sub" in the pattern: its value is known to CloudFormation alone`. */
  readonly reason: string;
}

export interface Imported {
  readonly hunts: readonly ImportedHunt[];
  readonly refused: readonly Refusal[];
}

/** One language of rules. Files come together, because rules may name rules of other files. */
export interface Importer {
  /** As the command line names it; the folder of its hunts, too. */
  readonly kind: string;
  /** Of the files that are read of a folder, with the dot. */
  readonly extensions: readonly string[];
  /** Pure. A file that holds no rule gives nothing; one that cannot be read is refused. `table`: where hunts read calls. */
  read(files: readonly RuleFile[], table: CallTable): Imported;
}
