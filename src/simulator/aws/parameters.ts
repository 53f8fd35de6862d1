import { AwsError } from './aws-error.ts';

/** A request's members, checked as the service's model says; what is wrong is an error with the given code. */
export class Parameters {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #code: string;

  constructor(values: Readonly<Record<string, unknown>>, code: string) {
    this.#values = values;
    this.#code = code;
  }

  /** From a JSON body. */
  static parse(body: string, code: string): Parameters {
    let value: unknown;
    try {
      value = body === '' ? {} : JSON.parse(body);
    } catch {
      throw new AwsError('SerializationException', 'could not parse the request body');
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new AwsError('SerializationException', 'the request body is not an object');
    }
    return new Parameters(value as Record<string, unknown>, code);
  }

  invalid(message: string): AwsError {
    return new AwsError(this.#code, message);
  }

  get(name: string): unknown {
    return this.#values[name] ?? undefined;
  }

  string(name: string, minimum = 1, maximum = Number.MAX_SAFE_INTEGER): string | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'string') throw new AwsError('SerializationException', `${name} is not a string`);
    if (value.length < minimum || value.length > maximum) {
      throw this.#constraint(name, value, `Member must have length between ${minimum} and ${maximum}`);
    }
    return value;
  }

  integer(name: string, minimum: number, maximum: number): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (!Number.isSafeInteger(value)) throw new AwsError('SerializationException', `${name} is not an integer`);
    const number = value as number;
    if (number < minimum) {
      throw this.#constraint(name, number, `Member must have value greater than or equal to ${minimum}`);
    }
    if (number > maximum) {
      throw this.#constraint(name, number, `Member must have value less than or equal to ${maximum}`);
    }
    return number;
  }

  boolean(name: string): boolean | undefined {
    const value = this.get(name);
    if (value === undefined || typeof value === 'boolean') return value;
    throw new AwsError('SerializationException', `${name} is not a boolean`);
  }

  strings(name: string, minimum: number, maximum: number): readonly string[] | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) {
      throw new AwsError('SerializationException', `${name} is not a list of strings`);
    }
    if (value.length < minimum || value.length > maximum) {
      throw this.#constraint(name, value, `Member must have length between ${minimum} and ${maximum}`);
    }
    return value;
  }

  #constraint(name: string, value: unknown, constraint: string): AwsError {
    return this.invalid(
      `1 validation error detected: Value '${String(value)}' at '${name}' failed to satisfy constraint: ${constraint}`,
    );
  }
}
