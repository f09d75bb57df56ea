export class Crowd {
  static gather(ports: number[], count: number): Promise<Crowd>;
  readonly again: number;
  readonly standing: number;
  end(): void;
}
