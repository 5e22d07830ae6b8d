import type { Application } from 'express';

export interface KnownRoute {
  /** As it was given to `app.get` or `app.post`. */
  readonly path: string;
  readonly methods: readonly string[];
}

/** Finds the route that a path belongs to, whatever the method. */
export interface RouteList {
  find(path: string): KnownRoute | undefined;
}

/**
 * The routes of an app, as they were added to it: their names and methods stand in `app.ts` alone.
 * They are read at the first request, when all are there. A `getOnly` path does not answer HEAD.
 */
export function listRoutes(
  app: Application,
  { getOnly = [] }: { getOnly?: readonly string[] } = {},
): RouteList {
  let known: (KnownRoute & { pattern: RegExp })[] | undefined;

  function read(): (KnownRoute & { pattern: RegExp })[] {
    const methodsOf = new Map<string, string[]>();
    for (const { route } of app.router.stack) {
      if (route === undefined) continue; // middleware
      const methods = route.stack.map(({ method }) => method.toUpperCase());
      const withHead =
        methods.includes('GET') && !getOnly.includes(route.path) ? [...methods, 'HEAD'] : methods;
      methodsOf.set(route.path, [...new Set([...(methodsOf.get(route.path) ?? []), ...withHead])]);
    }
    return [...methodsOf].map(([path, methods]) => ({
      path,
      methods,
      pattern: new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`),
    }));
  }

  return {
    find(path) {
      known ??= read();
      return known.find(({ pattern }) => pattern.test(path));
    },
  };
}
