import { EXAMPLE_ID, type Parameter } from './documentation.js';
import { operations, type Operation } from './operations.js';
import type { Fields } from './request.js';

/** An operation as a card of the index. */
export interface OperationCard {
  readonly href: string;
  readonly method: string;
  readonly path: string;
  readonly title: string;
  readonly scope: string;
  readonly isGranted: boolean;
}

export interface OperationGroup {
  readonly name: string;
  readonly cards: readonly OperationCard[];
}

export function indexView(scopes: readonly string[]): readonly OperationGroup[] {
  const names = [...new Set(operations.map(({ group }) => group))];
  return names.map((name) => ({
    name,
    cards: operations.filter(({ group }) => group === name).map((one) => cardOf(one, scopes)),
  }));
}

export function cardOf(
  { slug, title, endpoint }: Operation,
  scopes: readonly string[],
): OperationCard {
  const { method, path, scope } = endpoint;
  return {
    href: `/explorer/${slug}`,
    method,
    path,
    title,
    scope,
    isGranted: scopes.includes(scope),
  };
}

/** One field of the form of an operation. */
export interface FieldView {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly example: string;
  readonly values: readonly string[];
  readonly isRequired: boolean;
  readonly fault: string | undefined;
}

/** The fields of one line; the JSON has a field of its own. */
export function fieldViews(
  { id, query }: Operation,
  fields: Fields,
  faults: Readonly<Record<string, string>>,
): readonly FieldView[] {
  const idParameter: Parameter = { name: 'id', example: EXAMPLE_ID };
  const parameters = id === undefined ? query : [idParameter, ...query];
  return parameters.map(({ name, example, values = [] }) => ({
    name,
    label: name === 'id' ? (id ?? name) : name,
    value: fields[name] ?? '',
    example,
    values,
    isRequired: name === 'id',
    fault: faults[name],
  }));
}
