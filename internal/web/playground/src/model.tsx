interface Props {
  models: string[];
  /** Empty for the server's own choice. */
  chosen: string;
  choose: (model: string) => void;
}

/** Which model answers. The first is the server's own choice, which is sent as none. */
export function ModelChoice({ models, chosen, choose }: Props) {
  return (
    <label class="model">
      Model
      <select value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
        {models.map((name, n) => <option key={name} value={n === 0 ? '' : name}>{n === 0 ? `${name} (default)` : name}</option>)}
      </select>
    </label>
  );
}
