#include "activities/connectors/assets/asset_store.h"

#include <utility>

#include "activities/connectors/wire/text.h"

namespace assets {

AssetStore::AssetStore(base::EventLoop& loop, blocking::Worker& worker, Options options)
    : loop_(loop),
      worker_(worker),
      public_base_url_(std::move(options.public_base_url)),
      files_(std::make_shared<AssetFiles>(std::move(options.directory))) {}

std::string AssetStore::UrlOf(std::string_view key) const {
  return wire::JoinUrl(public_base_url_, wire::Cat("/assets/", key));
}

base::Task<base::Outcome<StoredAsset>> AssetStore::Put(std::string key, std::string bytes) {
  StoredAsset asset{.key = key, .url = UrlOf(key), .bytes = static_cast<int64_t>(bytes.size())};
  base::Outcome<std::string> type = co_await worker_.Run<std::string>(
      loop_, [files = files_, key = std::move(key), bytes = std::move(bytes)] {
        return files->Write(key, bytes);
      });
  if (!type.ok()) co_return type.failure();
  asset.content_type = *type;
  co_return asset;
}

base::Task<base::Outcome<std::optional<AssetContent>>> AssetStore::Read(std::string key) {
  return worker_.Run<std::optional<AssetContent>>(
      loop_, [files = files_, key = std::move(key)] { return files->Read(key); });
}

base::Task<base::Outcome<bool>> AssetStore::Delete(std::string key) {
  return worker_.Run<bool>(loop_,
                           [files = files_, key = std::move(key)] { return files->Remove(key); });
}

base::Task<base::Outcome<std::vector<std::string>>> AssetStore::List(std::string prefix) {
  return worker_.Run<std::vector<std::string>>(
      loop_, [files = files_, prefix = std::move(prefix)] { return files->List(prefix); });
}

}  // namespace assets
