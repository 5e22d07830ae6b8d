// The parts of the documents that are made from code: variables, events, metrics.
import { readFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import ts from 'typescript';
import { variables } from '../../src/config/variables.js';
import { eventCatalogue } from '../../src/telemetry/event-catalogue.js';
import { createMetrics } from '../../src/telemetry/metrics.js';

/** The first variable of each group, and the title of the group. */
const GROUPS: Readonly<Record<string, string>> = {
  NODE_ENV: 'The app',
  GETBILL_CLIENT_ID: 'The client at GetBill',
  GETBILL_BASE_URL: 'The way to GetBill',
  GETBILL_WEBHOOK_SECRET: 'Webhooks',
  SESSION_SECRET: 'Secrets, sessions and tokens',
  REDIS_URL: 'Redis',
  RATE_LIMIT_LOGIN: 'Limits',
  FLOW_INSPECTOR: 'Only outside production',
  KEEP_ALIVE_S: 'Running it',
};

interface Variable {
  readonly name: string;
  readonly meaning: string;
  readonly example: string;
  /** `undefined` where the variable must be set. */
  readonly default: string | undefined;
}

const variableList: readonly Variable[] = Object.entries(variables).map(
  ([name, { meaning, schema, derived, example }]) => {
    const { success, data } = schema.safeParse(undefined);
    return {
      name,
      meaning,
      example,
      default: derived ?? (success ? textOfDefault(data) : undefined),
    };
  },
);

/** `''` for a variable that is unset by default. */
function textOfDefault(value: unknown): string {
  if (value === undefined) return '';
  if (value instanceof URL) return value.href.replace(/\/$/, '');
  return Array.isArray(value) ? value.join(' ') : JSON.stringify(value).replaceAll('"', '');
}

export function variablesTable(): string {
  const sections: string[] = [];
  for (const { name, meaning, default: text } of variableList) {
    const title = GROUPS[name];
    if (title !== undefined)
      sections.push(`\n## ${title}\n\n| variable | default | meaning |\n| --- | --- | --- |`);
    const shown = text === undefined ? 'required' : text === '' ? 'unset' : `\`${text}\``;
    sections.push(`| \`${name}\` | ${shown} | ${meaning} |`);
  }
  return sections.join('\n');
}

export function envExample(): string {
  const lines = [
    '# GetBill Connect: the whole environment. Written by `npm run docs` from src/config/variables.ts.',
    '# Copy to .env and fill in the four required values; everything else has the default shown.',
    '# Any value may come from a file instead: SESSION_SECRET_FILE=/run/secrets/session_secret',
  ];
  for (const { name, meaning, example, default: text } of variableList) {
    const title = GROUPS[name];
    if (title !== undefined) lines.push('', `# ----- ${title}`);
    const plain = meaning.replaceAll('`', '');
    const isDerived = text?.includes('$') === true;
    const note = text === undefined ? ' Required.' : isDerived ? ` Default: ${text}` : '';
    const sentence = meaning.startsWith('`')
      ? plain
      : plain.charAt(0).toUpperCase() + plain.slice(1);
    lines.push('', ...wrap(`${sentence}.${note}`));
    const isSet = text !== undefined && text !== '' && !isDerived;
    if (isSet) lines.push(`${name}=${text}`);
    else lines.push(`${text === undefined ? '' : '#'}${name}=${example}`);
  }
  return `${lines.join('\n')}\n`;
}

function wrap(text: string): string[] {
  const lines = ['#'];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last.length + 1 + word.length <= 100) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`# ${word}`);
  }
  return lines;
}

export function eventsTable(): string {
  const fields = fieldsOfEvents();
  const rows = Object.entries(eventCatalogue).map(
    ([type, { when, notes = {}, isAudited, action }]) => {
      const cells = [...(fields.get(type) ?? [])].map(([field, values]) => {
        const explained = notes[field] ?? [...values].map((value) => `\`${value}\``).join(', ');
        return `\`${field}\`${explained === '' ? '' : ` (${explained})`}`;
      });
      return `| \`${type}\` | ${when} | ${cells.join(', ') || 'none'} | ${isAudited ? 'yes' : 'no'} | ${action} |`;
    },
  );
  return [
    '| event | when | fields | audited | what to do |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

type Fields = Map<string, Set<string>>;

/**
 * Of each event its fields, and their values where the type names them; read from the types
 * themselves.
 */
function fieldsOfEvents(): Map<string, Fields> {
  const files = ['src/core/events.ts', 'src/events.ts'].map((file) =>
    ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest),
  );
  const statements = files.flatMap((file) => [...file.statements]);
  const declared = (name: string) =>
    statements
      .filter((each) => ts.isTypeAliasDeclaration(each) || ts.isInterfaceDeclaration(each))
      .find((each) => each.name.text === name);
  const referred = (type: ts.TypeNode) =>
    ts.isTypeReferenceNode(type) && ts.isIdentifier(type.typeName)
      ? declared(type.typeName.text)
      : undefined;

  function literalsOf(type: ts.TypeNode | undefined): string[] {
    if (type === undefined) return [];
    if (ts.isUnionTypeNode(type)) return type.types.flatMap(literalsOf);
    if (ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal)) return [type.literal.text];
    const alias = referred(type);
    return alias !== undefined && ts.isTypeAliasDeclaration(alias) ? literalsOf(alias.type) : [];
  }

  /** The properties of each object type that `type` allows. */
  function shapesOf(type: ts.TypeNode): ts.PropertySignature[][] {
    if (ts.isParenthesizedTypeNode(type)) return shapesOf(type.type);
    if (ts.isUnionTypeNode(type)) return type.types.flatMap(shapesOf);
    if (ts.isTypeLiteralNode(type)) return [type.members.filter(ts.isPropertySignature)];
    if (ts.isIntersectionTypeNode(type)) {
      const join = (all: ts.PropertySignature[][], part: ts.TypeNode) =>
        all.flatMap((shape) => shapesOf(part).map((more) => [...shape, ...more]));
      return type.types.reduce(join, [[]]);
    }
    const found = referred(type);
    if (found === undefined) return [];
    return ts.isTypeAliasDeclaration(found)
      ? shapesOf(found.type)
      : [found.members.filter(ts.isPropertySignature)];
  }

  const events = new Map<string, Fields>();
  const all = declared('AppEvent');
  for (const shape of all !== undefined && ts.isTypeAliasDeclaration(all)
    ? shapesOf(all.type)
    : []) {
    const properties = shape.map(({ name, type }) => ({
      name: (name as ts.Identifier).text,
      type,
    }));
    const [event] = literalsOf(properties.find(({ name }) => name === 'type')?.type);
    if (event === undefined) continue;
    const fields: Fields = events.get(event) ?? new Map<string, Set<string>>();
    for (const { name, type } of properties) {
      if (name === 'type') continue;
      const values = fields.get(name) ?? new Set();
      for (const value of literalsOf(type)) values.add(value);
      fields.set(name, values);
    }
    events.set(event, fields);
  }
  return events;
}

export function metricsTable(): string {
  const registry = new Registry();
  createMetrics({ now: () => 0, registry });
  const rows = (registry.getMetricsAsArray() as unknown as MetricInside[]).map((metric) => {
    const name = metric.name.replace('getbill_connect_', '');
    const type = metric.constructor.name.toLowerCase();
    return `| \`${name}\` | ${type} | ${metric.labelNames.map((label) => `\`${label}\``).join(', ')} | ${metric.help} |`;
  });
  return ['| metric | type | labels | what it counts |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

interface MetricInside {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}
