export function Usage() {
  return (
    <div class="stack">
      <h1>Usage</h1>
    </div>
  );
}
