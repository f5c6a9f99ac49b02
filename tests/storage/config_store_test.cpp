#include <map>

#include <gmock/gmock.h>

#include "proxyxai/storage/sqlite_store.hpp"
#include "support/run_task.hpp"
#include "support/temp_directory.hpp"

namespace proxyxai {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class StoredConfig : public testing::Test {
 protected:
  void open() {
    store_.reset();
    store_ = std::make_unique<SqliteStore>(loop_, directory_.path(), SqliteStore::Options{});
  }
  void put(std::vector<ConfigChange> changes) { run_task(loop_, store_->put_config(std::move(changes))); }
  std::map<std::string, std::string> load() {
    std::map<std::string, std::string> config;
    for (const ConfigRow& each : run_task(loop_, store_->load_config())) config[each.name] = each.value;
    return config;
  }

  TempDirectory directory_;
  boost::asio::io_context loop_;
  std::unique_ptr<SqliteStore> store_;
};

TEST_F(StoredConfig, IsKeptOverARestartAndForgottenWhenTold) {
  open();
  EXPECT_THAT(load(), IsEmpty());
  put({{"ModelMapper", "a=b"}, {"Other", ""}});
  put({{"ModelMapper", "a=c"}});
  open();
  EXPECT_THAT(load(), ElementsAre(Pair("ModelMapper", "a=c"), Pair("Other", "")));
  put({{"ModelMapper", std::nullopt}, {"Unknown", std::nullopt}});
  open();
  EXPECT_THAT(load(), ElementsAre(Pair("Other", "")));
}

}  // namespace
}  // namespace proxyxai
