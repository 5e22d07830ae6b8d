import { existsSync } from 'node:fs';
import {
  codeOf,
  appOfThePage,
  exportsOverSource,
  projectOverSource,
  type Project,
} from './support/core-page.js';
import { describeTheAppOfThePage } from './support/core-page-suite.js';

describe('docs/core.md', () => {
  it('has ten lines, none wider than 100', () => {
    expect(codeOf('The ten lines').trimEnd().split('\n')).toHaveLength(10);
    expect(
      appOfThePage()
        .split('\n')
        .filter((line) => line.length > 100),
    ).toEqual([]);
  });
});

describe('the app of docs/core.md over the source of the core', () => {
  let project: Project;
  beforeAll(() => void (project = projectOverSource()));
  afterAll(() => project.close());
  it('has a file for every path of the package', () => {
    for (const path of Object.values(exportsOverSource()))
      expect([path, existsSync(path)]).toEqual([path, true]);
  });
  describeTheAppOfThePage(() => project);
});
