const DEADLINE_MS = 1_000;

/**
 * A real GetBill does not change its limits at the press of a button, so the app rightly keeps to
 * what it was told. In the demo it is told when they change. An app that is not there, or no demo,
 * does not matter.
 */
export async function tellAppToForgetLimits(appUrl: string | undefined): Promise<void> {
  if (appUrl === undefined) return;
  const url = new URL('/demo/forget-limits', appUrl);
  const request = fetch(url, {
    method: 'POST',
    redirect: 'manual',
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  await request.then(
    (response) => response.body?.cancel(),
    () => undefined,
  );
}
