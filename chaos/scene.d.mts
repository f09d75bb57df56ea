export interface Command {
  signal(name: NodeJS.Signals): boolean;
}
export class Scene {
  constructor(how: { folder: string; python: string; settings: string[] });
  faults: string[];
  give(how?: { wrap?: string[] }): Command;
}
