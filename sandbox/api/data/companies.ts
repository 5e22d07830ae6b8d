import { makeFollowups, makeReports } from './activity.js';
import { makeCreditors, makeDebtors, makeDebts } from './debts.js';
import { dayOf, daysBefore, offsetTimestamp, opaqueId, zuluTimestamp } from './deterministic.js';
import { edgeCases, makeEdgeCases } from './edge-cases.js';
import type { CompanyData, CompanyProfile, User } from './types.js';

interface Plan {
  profile: Omit<CompanyProfile, 'created_at'>;
  /** For the sign-in page: what this company is there for. */
  about: string;
  createdAt: (todayMs: number) => string;
  credits: number;
  users: readonly (readonly [firstname: string, lastname: string, isActive: boolean])[];
  debts: number;
  debtors: number;
  creditors: number;
  followups: number;
  reports: number;
}

/** The first is what client_credentials acts for and what an automatic consent chooses. */
const plans: readonly [Plan, Plan] = [
  {
    profile: {
      id: 'hTBN7n6lkmkhMb6LYqEBZw',
      name: 'Example Collections LLC',
      email: 'contact@example-collections.com',
      phone: '+33123456789',
    },
    about: '1,247 debts',
    createdAt: () => '2023-01-15T10:30:00+00:00', // the example of GetBill's documentation
    credits: 847,
    users: [
      ['Hélène', 'Béranger', true],
      ['Tom', 'Okafor', true],
      ['Agnès', 'Weiß', true],
      ['Former', 'Colleague', false],
    ],
    debts: 1247,
    debtors: 612,
    creditors: 8,
    followups: 420,
    reports: 14,
  },
  {
    profile: {
      id: opaqueId('company:lumiere'),
      name: 'Recouvrement Lumière SARL',
      email: 'bonjour@recouvrement-lumiere.example',
      phone: null,
    },
    about: '3 debts, no credits left',
    createdAt: (todayMs) => offsetTimestamp(daysBefore(todayMs, 12, 'lumiere')),
    credits: 0,
    users: [['Éloïse', 'Lumière', true]],
    debts: 3,
    debtors: 3,
    creditors: 1,
    followups: 0,
    reports: 0,
  },
];

/** What the sign-in page offers. */
export interface CompanyEntry {
  id: string;
  name: string;
  email: string;
  about: string;
}

const entryOf = ({
  profile: { id, name, email },
  about,
}: Omit<Plan, 'createdAt'>): CompanyEntry => ({
  id,
  name,
  email,
  about,
});

export const companyProfiles: readonly [CompanyEntry, CompanyEntry, CompanyEntry] = [
  entryOf(plans[0]),
  entryOf(plans[1]),
  edgeCases,
];

const byId = <T extends { id: string }>(items: readonly T[]): Map<string, T> =>
  new Map(items.map((item) => [item.id, item]));

function makeUser(
  { companyId, todayMs, domain }: { companyId: string; todayMs: number; domain: string },
  [firstname, lastname, isActive]: Plan['users'][number],
  index: number,
): User {
  return {
    id: opaqueId(`user:${companyId}:${index}`),
    email: `user-${index}@${domain}`,
    firstname,
    lastname,
    is_active: isActive,
    created_at: zuluTimestamp(daysBefore(todayMs, 500 - index, `user:${index}`)),
    last_activity: isActive
      ? zuluTimestamp(daysBefore(todayMs, 1 + index, `active:${index}`))
      : null,
  };
}

function makeCompany({ profile, createdAt, ...plan }: Plan, todayMs: number): CompanyData {
  const inputOf = (count: number) => ({ companyId: profile.id, count, todayMs });
  const debtors = makeDebtors(inputOf(plan.debtors));
  const creditors = makeCreditors(inputOf(plan.creditors));
  const debts = makeDebts({ ...inputOf(plan.debts), debtors, creditors });
  const domain = profile.email.split('@')[1] ?? '';
  const expiresAtMs = daysBefore(todayMs, -200, 'subscription');
  return {
    profile: { ...profile, created_at: createdAt(todayMs) },
    credits: {
      current_credits: plan.credits,
      subscription: {
        plan: 'Professional',
        status: 'active',
        expires_at: zuluTimestamp(expiresAtMs),
      },
    },
    users: plan.users.map((user, index) =>
      makeUser({ companyId: profile.id, todayMs, domain }, user, index),
    ),
    debtors: byId(debtors),
    creditors: byId(creditors),
    followups: byId(makeFollowups(inputOf(plan.followups), debts)),
    reports: byId(makeReports(inputOf(plan.reports))),
    debts: new Map(debts.map((record) => [record.debt.id, record])),
  };
}

type Companies = readonly [CompanyData, CompanyData, CompanyData];
let generated: { todayMs: number; companies: Companies } | undefined;

const copyItems = <T extends object>(items: ReadonlyMap<string, T>): Map<string, T> =>
  new Map(Array.from(items, ([id, item]) => [id, { ...item }]));

const copyCompany = (company: CompanyData): CompanyData => ({
  profile: company.profile,
  credits: company.credits,
  users: company.users,
  debts: new Map(
    Array.from(company.debts, ([id, record]) => [id, { ...record, debt: { ...record.debt } }]),
  ),
  debtors: copyItems(company.debtors),
  creditors: copyItems(company.creditors),
  followups: copyItems(company.followups),
  reports: company.reports,
});

/**
 * A copy for one sandbox to change, always the same on one day; what it is copied from is made
 * once.
 */
export function makeCompanies(nowMs = Date.now()): Companies {
  const todayMs = dayOf(nowMs);
  if (generated?.todayMs !== todayMs) {
    const companies: Companies = [
      makeCompany(plans[0], todayMs),
      makeCompany(plans[1], todayMs),
      makeEdgeCases(todayMs),
    ];
    generated = { todayMs, companies };
  }
  const [first, second, third] = generated.companies;
  return [copyCompany(first), copyCompany(second), copyCompany(third)];
}
