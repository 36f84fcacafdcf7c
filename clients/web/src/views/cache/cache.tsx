export function Cache() {
  return (
    <div class="stack">
      <h1>Cache</h1>
    </div>
  );
}
