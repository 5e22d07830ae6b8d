/**
 * Field names, case and nesting as GetBill documents them; what it does not document is not here.
 */
export interface CompanyProfile {
  id: string;
  name: string;
  email: string;
  phone: string | null;
  created_at: string;
}

export interface Debt {
  id: string;
  civility: string | null;
  firstname: string;
  lastname: string;
  phone: string | null;
  email: string | null;
  birthdate: string | null;
  amount: number;
  amount_text: string;
  currency: string;
  object: string | null;
  internal_id: string | null;
  invoice_reference: string | null;
  debtor_reference: string | null;
  invoice_date: string | null;
  due_date: string | null;
  address: string | null;
  street_address: string | null;
  street_number: string | null;
  postal_code: string | null;
  city: string | null;
  country: string | null;
  status: string;
  timeline_id: string | null;
  nb_reminders: number;
  nb_answered: number;
  followups_count: number;
  summary: string | null;
  iban: string | null;
  company: string | null;
  debtor_company: string | null;
  payment_link: string | null;
  import_date: string;
  last_timeline_restart: string | null;
  payment_plan_active: boolean;
  plan_start_date: string | null;
  contacts: unknown[];
}

/** A debt with what GetBill knows about it but does not send. */
export interface DebtRecord {
  debt: Debt;
  debtorId: string;
  creditorId: string;
}

export interface Debtor {
  id: string;
  firstName: string;
  lastName: string;
  email: string | null;
  phone: string | null;
  address: string | null;
  dateOfBirth: string | null;
  firstSeenAt: string;
  lastSeenAt: string;
  lastUpdatedAt: string;
}

export interface Creditor {
  id: string;
  name: string;
  email: string | null;
  phone: string | null;
  address: string | null;
  city: string | null;
  postalCode: string | null;
  country: string | null;
  registrationNumber: string | null;
  taxNumber: string | null;
  contactPerson: string | null;
  createdAt: string;
  updatedAt: string;
}

export interface Followup {
  id: string;
  debt_id: string;
  status: string;
  type: string | null;
  call_date: string | null;
  scheduled_at: string | null;
  summary: string | null;
  notes: string | null;
  call_id: string | null;
  audio_url: string | null;
  pdf_url: string | null;
  duration_ms: number | null;
  disconnection_reason: string | null;
  direction: string | null;
  phone_number_used: string | null;
  is_retry: boolean;
  processed_at: string | null;
  triggered_payment: boolean;
  email_opened: boolean;
  email_open_count: number;
  email_first_opened_at: string | null;
  email_clicked: boolean;
  email_click_count: number;
  /** Only where there is media. */
  media_urls_expire_at?: string;
}

export interface Report {
  id: string;
  type: string;
  title: string;
  description: string;
  status: string;
  filename: string;
  file_size: number;
  mime_type: string;
  period_from: string;
  period_to: string;
  generated_at: string | null;
  created_at: string;
  download_available: boolean;
}

export interface User {
  id: string;
  email: string;
  firstname: string;
  lastname: string;
  is_active: boolean;
  created_at: string;
  last_activity: string | null;
}

export interface CompanyData {
  profile: CompanyProfile;
  credits: {
    current_credits: number;
    subscription: { plan: string; status: string; expires_at: string };
  };
  users: User[];
  debts: Map<string, DebtRecord>;
  debtors: Map<string, Debtor>;
  creditors: Map<string, Creditor>;
  followups: Map<string, Followup>;
  reports: Map<string, Report>;
}
