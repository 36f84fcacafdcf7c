export function Keys() {
  return (
    <div class="stack">
      <h1>Keys</h1>
    </div>
  );
}
