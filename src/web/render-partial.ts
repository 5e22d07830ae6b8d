import type { Application } from 'express';

/** The HTML of `views/partials/<partial>.ejs`, for a script that puts it into a page. */
export function renderPartial(app: Application, partial: string, locals: object): Promise<string> {
  return new Promise((resolve, reject) => {
    app.render(`partials/${partial}`, locals, (error: Error | null, html: string) =>
      error ? reject(error) : resolve(html),
    );
  });
}
