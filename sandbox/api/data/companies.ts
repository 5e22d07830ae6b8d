import { makeFollowups, makeReports } from './activity.js';
import { makeCreditors, makeDebtors, makeDebts } from './debts.js';
import { daysAfterStart, offsetTimestamp, opaqueId, zuluTimestamp } from './deterministic.js';
import type { CompanyData, CompanyProfile, User } from './types.js';

interface Plan {
  profile: CompanyProfile;
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
      created_at: '2023-01-15T10:30:00+00:00',
    },
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
      created_at: offsetTimestamp(daysAfterStart(240)),
    },
    credits: 0,
    users: [['Éloïse', 'Lumière', true]],
    debts: 3,
    debtors: 3,
    creditors: 1,
    followups: 0,
    reports: 0,
  },
];

export const companyProfiles: readonly [CompanyProfile, CompanyProfile] = [
  plans[0].profile,
  plans[1].profile,
];

const byId = <T extends { id: string }>(items: readonly T[]): Map<string, T> =>
  new Map(items.map((item) => [item.id, item]));

function makeUser(
  companyId: string,
  [firstname, lastname, isActive]: Plan['users'][number],
  index: number,
): User {
  return {
    id: opaqueId(`user:${companyId}:${index}`),
    email: `user-${index}@${companyId === plans[0].profile.id ? 'example-collections.com' : 'recouvrement-lumiere.example'}`,
    firstname,
    lastname,
    is_active: isActive,
    created_at: zuluTimestamp(daysAfterStart(index)),
    last_activity: isActive ? zuluTimestamp(daysAfterStart(300 + index)) : null,
  };
}

function makeCompany({ profile, ...plan }: Plan): CompanyData {
  const debtors = makeDebtors(profile.id, plan.debtors);
  const creditors = makeCreditors(profile.id, plan.creditors);
  const debts = makeDebts({ companyId: profile.id, count: plan.debts, debtors, creditors });
  return {
    profile,
    credits: {
      current_credits: plan.credits,
      subscription: { plan: 'Professional', status: 'active', expires_at: '2024-02-15T23:59:59Z' },
    },
    users: plan.users.map((user, index) => makeUser(profile.id, user, index)),
    debtors: byId(debtors),
    creditors: byId(creditors),
    followups: byId(makeFollowups(profile.id, plan.followups, debts)),
    reports: byId(makeReports(profile.id, plan.reports)),
    debts: new Map(debts.map((record) => [record.debt.id, record])),
  };
}

let generated: readonly [CompanyData, CompanyData] | undefined;

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

/** A copy for one sandbox to change, always the same at the start; what it is copied from is made once. */
export function makeCompanies(): readonly [CompanyData, CompanyData] {
  generated ??= [makeCompany(plans[0]), makeCompany(plans[1])];
  return [copyCompany(generated[0]), copyCompany(generated[1])];
}
