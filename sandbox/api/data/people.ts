import { numberFrom, pick } from './deterministic.js';

export interface Person {
  civility: 'Mr' | 'Ms';
  firstname: string;
  lastname: string;
}

const men = [
  'François',
  'Jürgen',
  'Łukasz',
  'Søren',
  'Nuño',
  'Björn',
  'Jean-Noël',
  'Martin',
  'Ömer',
  'José',
] as const;
const women = [
  'Élodie',
  'Zoë',
  'Inês',
  'Aïcha',
  'Anaïs',
  'Chloé',
  'Małgorzata',
  'Sofía',
  'Ingrid',
  'Ngọc Anh',
] as const;
const lastnames = [
  'Lefèvre',
  'Müller',
  "O'Connor",
  'Núñez',
  'Çelik',
  'Dubois',
  "d'Artagnan",
  'Żółkowski',
  'Nguyễn',
  'Bernard',
  'García Márquez',
  'Åkesson',
  'de La Tour d’Auvergne-Lauraguais',
] as const;

export function person(index: number): Person {
  const civility = numberFrom(`civility:${index}`, 2) === 0 ? 'Mr' : 'Ms';
  const firstname = pick(civility === 'Mr' ? men : women, numberFrom(`firstname:${index}`, 1000));
  return { civility, firstname, lastname: pick(lastnames, numberFrom(`lastname:${index}`, 1000)) };
}

export const emailOf = (index: number): string => `debtor-${index}@example.com`;
export const phoneOf = (index: number): string =>
  `+336${String(12_000_000 + index).padStart(8, '0')}`;
