// The colour scheme: the system's, light or dark, as remembered. Runs before the page is drawn, so that none flashes.
(() => {
  const NAMES = ["system", "light", "dark"];

  function remembered() {
    try {
      const name = localStorage.getItem("lambdallm:theme");
      return NAMES.includes(name) ? name : "system";
    } catch {
      return "system"; // storage is refused
    }
  }

  function wear(name) {
    document.documentElement.dataset.theme = name;
    try {
      localStorage.setItem("lambdallm:theme", name);
    } catch { /* it lasts as long as the page */ }
    return name;
  }

  wear(remembered());
  globalThis.nextTheme = () => wear(NAMES[(NAMES.indexOf(document.documentElement.dataset.theme) + 1) % NAMES.length]);
})();
