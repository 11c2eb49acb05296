// theme.js: sets the theme and language of the last visit. It is a classic script, so that
// it runs before the browser first paints the page.
(function () {
  try {
    var theme = localStorage.getItem("skein.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    var lang = localStorage.getItem("skein.lang") || navigator.language || "";
    document.documentElement.lang = /^zh/i.test(lang) ? "zh-CN" : "en";
  } catch (e) { /* no storage: the system's choice */ }
})();
