// Light, dark or the system's choice. No module, so that it runs before the first paint.
"use strict";
(() => {
  const themes = ["system", "light", "dark"];
  const root = document.documentElement;
  let theme = localStorage.getItem("podium.theme");
  const show = () => {
    if (!themes.includes(theme)) theme = "system";
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    const button = document.getElementById("theme");
    if (button) button.textContent = `Theme: ${theme}`;
    dispatchEvent(new Event("themechange"));
  };
  show();
  document.addEventListener("DOMContentLoaded", () => {
    show();
    document.getElementById("theme").addEventListener("click", () => {
      theme = themes[(themes.indexOf(theme) + 1) % themes.length];
      localStorage.setItem("podium.theme", theme);
      show();
    });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
})();
