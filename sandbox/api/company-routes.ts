import { zuluTimestamp } from './data/deterministic.js';
import { failure, notFound, page, success, type ApiResponse } from './envelope.js';
import type { ApiCall, Route } from './route.js';

const downloadLifetimeMs = 3600_000;

function listReports({ company, query, faults }: ApiCall): ApiResponse {
  const type = query.get('type');
  const reports = [...company.reports.values()].filter(
    (report) => type === null || report.type === type,
  );
  return page(reports, { query, limitAbove100: faults.limitAbove100 });
}

function getReport({ id, company }: ApiCall): ApiResponse {
  const report = company.reports.get(id);
  return report === undefined ? notFound('Report') : success(report);
}

/** The file itself is on a host of GetBill's own and not imitated. */
function downloadReport({ id, company, nowMs }: ApiCall): ApiResponse {
  const report = company.reports.get(id);
  if (report === undefined) return notFound('Report');
  if (!report.download_available) return failure(400, 'Report is not available for download');
  const expiresAtMs = nowMs + downloadLifetimeMs;
  const query = `expires=${String(Math.floor(expiresAtMs / 1000))}&signature=sandbox`;
  return success(
    {
      id,
      filename: report.filename,
      file_size: report.file_size,
      mime_type: report.mime_type,
      download_url: `https://secure-downloads.getbill.io/reports/${id}?${query}`,
      expires_at: zuluTimestamp(expiresAtMs),
    },
    'Report download information retrieved',
  );
}

export const companyRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/company/profile',
    scope: 'company:read',
    handle: ({ company }) => success(company.profile),
  },
  {
    method: 'GET',
    path: '/company/credits',
    scope: 'company:read',
    handle: ({ company }) => success(company.credits),
  },
  {
    method: 'GET',
    path: '/company/users',
    scope: 'users:read',
    handle: ({ company }) => success(company.users),
  },
  { method: 'GET', path: '/reports', scope: 'reports:read', handle: listReports },
  {
    method: 'GET',
    path: '/reports/download/:id',
    scope: 'reports:read',
    changing: true,
    handle: downloadReport,
  },
  { method: 'GET', path: '/reports/:id', scope: 'reports:read', handle: getReport },
];
