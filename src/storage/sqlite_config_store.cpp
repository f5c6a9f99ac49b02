#include "proxyxai/storage/sqlite_store.hpp"

namespace proxyxai {

Task<std::vector<ConfigRow>> SqliteStore::load_config() {
  co_return co_await finder_->run([](Database& database) {
    std::vector<ConfigRow> rows;
    Statement statement = database.prepare("SELECT name, value FROM config");
    while (statement.step()) rows.push_back({statement.text(0), statement.text(1)});
    return rows;
  });
}

Task<void> SqliteStore::put_config(std::vector<ConfigChange> changes) {
  auto job = [changes = std::move(changes)](Database& database) {
    for (const ConfigChange& each : changes) {
      if (each.value) {
        Statement statement = database.prepare("INSERT OR REPLACE INTO config (name, value) VALUES (?, ?)");
        statement.bind(std::string_view(each.name)).bind(std::string_view(*each.value)).run();
      } else {
        database.prepare("DELETE FROM config WHERE name = ?").bind(std::string_view(each.name)).run();
      }
    }
    return true;
  };
  co_await writer_->run(std::move(job));
}

}  // namespace proxyxai
