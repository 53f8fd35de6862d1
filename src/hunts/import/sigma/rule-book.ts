import { UnreadableRule } from '../unreadable-rule.ts';
import type { Rule } from './rule.ts';

/** All rules of an import, by id and by name: correlations name others. */
export class RuleBook {
  readonly #rules = new Map<string, Rule | 'several'>();
  readonly #parts = new Set<string>();

  constructor(rules: readonly Rule[]) {
    for (const rule of rules) {
      for (const key of keysOf(rule)) {
        this.#rules.set(key, this.#rules.has(key) ? 'several' : rule);
      }
      if (rule.kind === 'correlation' && !rule.correlation.generate) {
        for (const key of rule.correlation.rules) this.#parts.add(key);
      }
    }
  }

  /** @throws UnreadableRule where there is none, or more than one. */
  find(key: string): Rule {
    const rule = this.#rules.get(key);
    if (rule === undefined) {
      throw new UnreadableRule(undefined, `correlation.rules: ${key} is not among the rules that could be read`);
    }
    if (rule === 'several') throw new UnreadableRule(undefined, `correlation.rules: several rules are named ${key}`);
    return rule;
  }

  /**
   * Whether a rule is but a part of a correlation, and no hunt of its own.
   *
   * @throws UnreadableRule where that correlation is a part of the rule in turn.
   */
  isPart(rule: Rule): boolean {
    if (!keysOf(rule).some((key) => this.#parts.has(key))) return false;
    if (rule.kind === 'correlation' && this.#names(rule, rule, new Set())) {
      throw new UnreadableRule(undefined, 'correlation.rules: the correlations name each other');
    }
    return true;
  }

  #names(rule: Rule, wanted: Rule, seen: Set<Rule>): boolean {
    if (rule.kind === 'detection' || seen.has(rule)) return false;
    seen.add(rule);
    return rule.correlation.rules.some((key) => {
      const named = this.#rules.get(key);
      return named !== undefined && named !== 'several' && (named === wanted || this.#names(named, wanted, seen));
    });
  }
}

function keysOf({ id, name }: Rule): readonly string[] {
  return [...new Set([id, name])].filter((key) => key !== undefined);
}
