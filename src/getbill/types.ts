/**
 * The data of the API, as documented. Nearly everything may be null; custom statuses exist, so no
 * enumeration is closed.
 */
export interface CompanyProfile {
  readonly id: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly created_at: string | null;
}

export interface Credits {
  readonly current_credits: number;
  readonly subscription: {
    readonly plan: string;
    readonly status: string;
    readonly expires_at: string;
  } | null;
}

export interface User {
  readonly id: string;
  readonly email: string;
  readonly firstname: string | null;
  readonly lastname: string | null;
  readonly is_active: boolean;
  readonly created_at: string;
  readonly last_activity: string | null;
}

export interface Debt {
  readonly id: string;
  readonly firstname: string | null;
  readonly lastname: string | null;
  readonly debtor_company: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly amount: number;
  readonly amount_text: string;
  readonly currency: string;
  readonly object: string | null;
  readonly invoice_reference?: string | null;
  readonly invoice_date: string | null;
  readonly due_date: string | null;
  readonly status: string;
  readonly followups_count: number;
  readonly [field: string]: unknown;
}

export interface Followup {
  readonly id: string;
  readonly debt_id: string;
  readonly status: string | null;
  readonly type: string | null;
  readonly call_date: string | null;
  readonly scheduled_at: string | null;
  readonly summary: string | null;
  readonly notes: string | null;
  readonly [field: string]: unknown;
}

/** Debtors and creditors come in camelCase. */
export interface Party {
  readonly id: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly [field: string]: unknown;
}

export interface Report {
  readonly id: string;
  readonly type: string;
  readonly title: string;
  readonly status: string;
  readonly download_available: boolean;
  readonly [field: string]: unknown;
}

export interface ReportDownload {
  readonly id: string;
  readonly filename: string | null;
  readonly file_size: number | null;
  readonly mime_type: string | null;
  readonly download_url: string;
  readonly expires_at: string | null;
}

/** A row of a batch: a failed one has `errors`, a created one `debt_id`. */
export interface BatchRow {
  readonly index?: unknown;
  readonly temp_id?: unknown;
  readonly debt_id?: unknown;
  readonly errors?: unknown;
  readonly [field: string]: unknown;
}

export interface Pagination {
  readonly total: number;
  readonly page: number;
  readonly limit: number;
  readonly pages: number;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly pagination: Pagination;
  /** Entries of GetBill's list that are no records. */
  readonly unreadable?: number;
}

export interface PageRequest {
  /** From 1. */
  readonly page?: number;
  /** At most 100. */
  readonly limit?: number;
  /** Exact and case-sensitive, for example `status.default.paid`. */
  readonly status?: string;
  /** Of follow-ups and reports, for example `call`. */
  readonly type?: string;
}
