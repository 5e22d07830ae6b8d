import type { Services } from '../services.js';
import type { Columns, Row } from './tables.js';

export type Client = Services['appClient'];

export interface ListRequest {
  page?: number;
  limit?: number;
  status?: string;
  type?: string;
  /** Ids: of this one only. */
  debt?: string;
  debtor?: string;
  creditor?: string;
}

export type Filter = 'status' | 'type' | 'debt' | 'debtor' | 'creditor';

export interface Resource {
  /** One of them, for texts. */
  noun: string;
  filters: readonly Filter[];
  columns: Columns;
  list(
    client: Client,
    request: ListRequest,
  ): ReturnType<Client['debts' | 'followups' | 'debtors' | 'reports']>;
  get(client: Client, id: string): Promise<Row>;
}

/** Everything that has `list` and `get`, under the name it has on the command line. */
export const resources: Readonly<Record<string, Resource>> = {
  debts: {
    noun: 'debt',
    filters: ['status', 'debtor', 'creditor'],
    columns: {
      id: ['id'],
      debtor: ['firstname', 'lastname'],
      amount: ['amount_text', 'currency'],
      due: ['due_date'],
      status: ['status'],
    },
    list(client, { debtor, creditor, ...request }) {
      if (debtor !== undefined) return client.debtsOfDebtor(debtor, request);
      if (creditor !== undefined) return client.debtsOfCreditor(creditor, request);
      return client.debts(request);
    },
    get: (client, id) => client.debt(id),
  },
  followups: {
    noun: 'follow-up',
    filters: ['status', 'type', 'debt'],
    columns: {
      id: ['id'],
      debt: ['debt_id'],
      type: ['type'],
      status: ['status'],
      scheduled: ['scheduled_at'],
    },
    list: (client, { debt, ...request }) =>
      debt === undefined ? client.followups(request) : client.followupsOfDebt(debt, request),
    get: (client, id) => client.followup(id),
  },
  debtors: {
    noun: 'debtor',
    filters: [],
    columns: { id: ['id'], name: ['firstName', 'lastName'], email: ['email'], phone: ['phone'] },
    list: (client, request) => client.debtors(request),
    get: (client, id) => client.debtor(id),
  },
  creditors: {
    noun: 'creditor',
    filters: [],
    columns: { id: ['id'], name: ['name'], email: ['email'], city: ['city'], country: ['country'] },
    list: (client, request) => client.creditors(request),
    get: (client, id) => client.creditor(id),
  },
  reports: {
    noun: 'report',
    filters: ['type'],
    columns: {
      id: ['id'],
      type: ['type'],
      title: ['title'],
      status: ['status'],
      created: ['created_at'],
    },
    list: (client, request) => client.reports(request),
    get: (client, id) => client.report(id),
  },
};

export const userColumns: Columns = {
  id: ['id'],
  name: ['firstname', 'lastname'],
  email: ['email'],
  active: ['is_active'],
  seen: ['last_activity'],
};
