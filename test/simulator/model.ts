import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** As much of a botocore service model as a response can be held against. */
interface ServiceModel {
  readonly operations: Readonly<
    Record<
      string,
      { readonly output?: { readonly shape: string }; readonly errors?: readonly { readonly shape: string }[] }
    >
  >;
  readonly shapes: Readonly<Record<string, Shape>>;
}

interface Shape {
  readonly type: string;
  readonly members?: Readonly<Record<string, { readonly shape: string; readonly locationName?: string }>>;
  readonly member?: { readonly shape: string };
  readonly value?: { readonly shape: string };
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly max?: number;
  readonly min?: number;
}

export class Model {
  readonly #model: ServiceModel;

  constructor(testData: string, file: string) {
    this.#model = JSON.parse(readFileSync(join(testData, 'aws_models', file), 'utf8')) as ServiceModel;
  }

  errorsOf(operation: string): readonly string[] {
    return (this.#model.operations[operation]?.errors ?? []).map(({ shape }) => shape);
  }

  hasShape(name: string): boolean {
    return name in this.#model.shapes;
  }

  /** What in a response body the model does not know or types otherwise, each with its path. */
  problems(operation: string, body: unknown): readonly string[] {
    const output = this.#model.operations[operation]?.output?.shape;
    return output === undefined ? [`the model has no ${operation}`] : [...this.#check(output, body, operation)];
  }

  *#check(name: string, value: unknown, path: string): Generator<string> {
    const shape = this.#model.shapes[name];
    if (shape === undefined) {
      yield `${path}: no shape ${name}`;
      return;
    }
    const wrong = `${path}: ${JSON.stringify(value)} is no ${shape.type}`;
    switch (shape.type) {
      case 'structure': {
        if (typeof value !== 'object' || value === null || Array.isArray(value)) {
          yield wrong;
          return;
        }
        const members = new Map(
          Object.entries(shape.members ?? {}).map(([key, member]) => [member.locationName ?? key, { key, ...member }]),
        );
        for (const [key, inner] of Object.entries(value)) {
          const member = members.get(key);
          if (member === undefined) yield `${path}.${key}: no such member`;
          else yield* this.#check(member.shape, inner, `${path}.${key}`);
        }
        for (const [wire, { key }] of members) {
          if (shape.required?.includes(key) === true && !(wire in value)) yield `${path}.${wire}: missing`;
        }
        return;
      }
      case 'list':
        if (!Array.isArray(value)) yield wrong;
        else {
          if (value.length > (shape.max ?? Infinity)) yield `${path}: ${value.length} elements`;
          for (const [index, each] of value.entries())
            yield* this.#check(shape.member?.shape ?? '', each, `${path}[${index}]`);
        }
        return;
      case 'map':
        if (typeof value !== 'object' || value === null) yield wrong;
        else
          for (const [key, each] of Object.entries(value))
            yield* this.#check(shape.value?.shape ?? '', each, `${path}.${key}`);
        return;
      case 'string':
        if (typeof value !== 'string') yield wrong;
        else {
          if (shape.enum?.includes(value) === false) yield `${path}: ${value} is not in ${shape.enum.join(', ')}`;
          if (value.length > (shape.max ?? Infinity) || value.length < (shape.min ?? 0))
            yield `${path}: length ${value.length}`;
        }
        return;
      case 'boolean':
        if (typeof value !== 'boolean') yield wrong;
        return;
      case 'integer':
      case 'long':
        if (!Number.isSafeInteger(value)) yield wrong;
        return;
      case 'double':
      case 'float':
      case 'timestamp':
        if (typeof value !== 'number') yield wrong;
        return;
      default:
        yield `${path}: type ${shape.type}`;
    }
  }
}
