interface Props {
  models: string[];
  /** Empty for the server's default. */
  chosen: string;
  choose: (model: string) => void;
}

/** Chooses the model. The first is the server's default, for which no model is sent. */
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
