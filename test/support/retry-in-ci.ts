// Real processes on a machine shared with others: CI tries a failed test once more, and prints why it failed the first time.
if (process.env['CI'] === 'true') jest.retryTimes(1, { logErrorsBeforeRetry: true });
