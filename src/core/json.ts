export type JsonObject = Readonly<Record<string, unknown>>;

/** `undefined` for any text that is not a JSON object. Its members are still of any type. */
export function jsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { ...value }
      : undefined;
  } catch {
    return undefined;
  }
}
