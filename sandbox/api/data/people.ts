import { numberFrom, pick } from './deterministic.js';

export interface Person {
  civility: 'Mr' | 'Ms' | null;
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

/** Names that break pages which do not escape, trim or wrap. */
const awkward: readonly Person[] = [
  {
    civility: 'Mr',
    firstname: '<script>alert("debt")</script>',
    lastname: '"><img src=x onerror=alert(1)>',
  },
  { civility: null, firstname: 'محمد', lastname: 'العربي' },
  {
    civility: 'Ms',
    firstname: 'Maximiliane-Alexandra',
    lastname: 'von-und-zu-Oberhausen-Niederrhein'.repeat(3),
  },
];

/** The third to fifth person are the awkward ones, so that they are on every first page. */
export function person(index: number): Person {
  const special = awkward[index - 2];
  if (special !== undefined) return special;
  const civility = numberFrom(`civility:${index}`, 2) === 0 ? 'Mr' : 'Ms';
  const firstname = pick(civility === 'Mr' ? men : women, numberFrom(`firstname:${index}`, 1000));
  return { civility, firstname, lastname: pick(lastnames, numberFrom(`lastname:${index}`, 1000)) };
}

export const emailOf = (index: number): string => `debtor-${index}@example.com`;
export const phoneOf = (index: number): string =>
  `+336${String(12_000_000 + index).padStart(8, '0')}`;
